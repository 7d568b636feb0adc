// Runs before the first paint, so that a chosen theme never flashes in the other one.
try {
  var theme = localStorage.getItem('historyserver.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (_) {
  // Storage is switched off: the system's preference holds.
}
