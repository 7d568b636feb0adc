/** Whether the page is being printed: then what is only drawn in sight is drawn whole. */
class Printing {
  now = $state(false);

  constructor() {
    window.addEventListener('beforeprint', () => (this.now = true));
    window.addEventListener('afterprint', () => (this.now = false));
  }
}

export const printing = new Printing();
