/** True while the page is printed. Lists then render all rows, not only the visible ones. */
class Printing {
  now = $state(false);

  constructor() {
    window.addEventListener('beforeprint', () => (this.now = true));
    window.addEventListener('afterprint', () => (this.now = false));
  }
}

export const printing = new Printing();
