/** Keeps the screen on during a lesson, where the browser can. */
export class WakeLock {
  constructor() {
    this.wanted = false;
    this.sentinel = null;
    this.again = () => {
      if (document.visibilityState === "visible") this.request();
    };
  }

  /** Holds the screen on until {@link release}; a browser lets go when the tab is hidden, so it is asked again. */
  hold() {
    if (this.wanted) return;
    this.wanted = true;
    document.addEventListener("visibilitychange", this.again);
    this.request();
  }

  /** Lets the screen go dark again. */
  release() {
    this.wanted = false;
    document.removeEventListener("visibilitychange", this.again);
    this.sentinel?.release().catch(() => {}); // it may be gone already
    this.sentinel = null;
  }

  async request() {
    try {
      const sentinel = await navigator.wakeLock?.request("screen");
      if (this.wanted) this.sentinel = sentinel;
      else await sentinel?.release();
    } catch {
      this.sentinel = null; // low battery, or not allowed: the lesson works without it
    }
  }
}
