/** Makes lines of what an operator types: the terminal is raw, so echo, rubbing out and the line's end are done here. */

/** A 3215 takes no longer ones; what is typed beyond rings the bell. */
export const maxLineLetters = 255;

export interface LineEditorHooks {
  /** For the operator's eyes. */
  echo(text: string): void;
  line(text: string): void;
}

const bell = "\x07";

export class LineEditor {
  readonly #hooks: LineEditorHooks;
  readonly #decoder = new TextDecoder();
  #typed: string[] = [];
  /** Whether the last key was a carriage return: a line feed right behind it is no second line. */
  #last: "return" | "other" = "other";

  constructor(hooks: LineEditorHooks) {
    this.#hooks = hooks;
  }

  /** @param bytes UTF-8, cut anywhere */
  type(bytes: Uint8Array): void {
    for (const letter of this.#decoder.decode(bytes, { stream: true })) this.#key(letter);
  }

  #key(letter: string): void {
    const before = this.#last;
    this.#last = letter === "\r" ? "return" : "other";
    if (letter === "\n" && before === "return") return;
    if (letter === "\n" || letter === "\r") this.#enter();
    else if (letter === "\b" || letter === "\x7f") this.#rubOut();
    else if (letter < " " || this.#typed.length === maxLineLetters) this.#hooks.echo(bell);
    else {
      this.#typed.push(letter);
      this.#hooks.echo(letter);
    }
  }

  #enter(): void {
    const line = this.#typed.join("");
    this.#typed = [];
    this.#hooks.echo("\n");
    this.#hooks.line(line);
  }

  #rubOut(): void {
    if (this.#typed.pop() !== undefined) this.#hooks.echo("\b \b");
  }
}
