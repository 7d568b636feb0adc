// Runs before the first paint, so that the page never flashes in the wrong theme.
try {
  var theme = localStorage.getItem('historyserver.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch (_) {
  // The browser has no storage: the system's preference applies.
}
