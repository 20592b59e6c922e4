// The numbers that travel. What stands in numbers.json is never changed or reused: old peers know it.

export class Numbers {
  #sections;

  /** @param {Record<string, Record<string, unknown>>} sections this generator's part of numbers.json; appended to */
  constructor(sections) {
    this.#sections = sections;
  }

  /** The number of `name` in `table`, the next free one (from `first`) when it has none yet. */
  of(table, name, first = 1) {
    this.#sections[table] ??= {};
    const numbers = this.#sections[table];
    numbers[name] ??= Math.max(first - 1, ...Object.values(numbers)) + 1;
    return numbers[name];
  }

  /** All numbers of `table` by name, also of names that are gone. */
  table(table) {
    return { ...this.#sections[table] };
  }

  /**
   * What was said about `name` when it was first generated: `value`, if that is now.
   * @param {(before: string) => boolean} [grows] whether `value` only adds to what was said before
   */
  fixed(table, name, value, grows = () => false) {
    this.#sections[table] ??= {};
    this.#sections[table][name] ??= value;
    const before = this.#sections[table][name];
    if (before !== value && !grows(before)) {
      throw new Error(
        `${table}: ${name} was "${before}" and is now "${value}": old peers send the former, so give it a new name in the overlay`,
      );
    }
    return before;
  }

  /** Old peers still send what had a number once. */
  checkKept(table, names) {
    for (const name of Object.keys(this.#sections[table] ?? {})) {
      if (!names.includes(name))
        throw new Error(`${table}: ${name} is gone: keep it in the overlay, old peers send it`);
    }
  }
}
