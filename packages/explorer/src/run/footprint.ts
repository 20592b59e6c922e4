/** Collects what one step uses. One object serves all runs of a search. */

export class Footprint {
  #entries: number[] = [];
  /** Per object: in which step it was used last, and where its entry is. */
  #step: number[] = [];
  #place: number[] = [];
  #current = 0;

  begin(): void {
    this.#current += 1;
    this.#entries = [];
  }

  add(object: number, written: 0 | 1): void {
    if (this.#step[object] === this.#current) {
      const place = this.#place[object] as number;
      this.#entries[place] = (this.#entries[place] as number) | written;
      return;
    }
    while (this.#step.length <= object) {
      this.#step.push(-1);
      this.#place.push(0);
    }
    this.#step[object] = this.#current;
    this.#place[object] = this.#entries.length;
    this.#entries.push(object * 2 + written);
  }

  get entries(): readonly number[] {
    return this.#entries;
  }
}
