/** A terminal as a page that is drawn over and over, and given back as it was, however the command ends. */

/** What a page needs of a terminal. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): void;
  /** @returns ends it */
  onResize(listener: () => void): () => void;
  /** `listener` is called when the process ends, however it does. @returns ends it */
  onExit(listener: () => void): () => void;
}

/** Another page than the shell's, no cursor, and lines that are cut rather than continued. */
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

export class Page {
  readonly #screen: Screen;
  readonly #ends: readonly (() => void)[];
  #draw: (columns: number) => readonly string[] = () => [];
  #state: "open" | "closed" = "open";

  constructor(screen: Screen) {
    this.#screen = screen;
    this.#ends = [screen.onResize(() => this.#show()), screen.onExit(() => this.close())];
    screen.write(enter);
  }

  /** @param draw makes the lines for a width; called again when the terminal has another size */
  show(draw: (columns: number) => readonly string[]): void {
    this.#draw = draw;
    this.#show();
  }

  /** The terminal is as it was before. Safe to repeat. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    for (const end of this.#ends) end();
    this.#screen.write(leave);
  }

  #show(): void {
    if (this.#state === "closed") return;
    const { columns, rows } = this.#screen;
    const lines = this.#draw(columns);
    // The last row stays empty: whatever comes after a full one would move the page.
    const visible = lines.slice(0, Math.max(1, rows - 1));
    if (visible.length < lines.length) visible[visible.length - 1] = "…";
    this.#screen.write(`${home}${visible.map((line) => `${line}${clearLine}\r\n`).join("")}${clearBelow}`);
  }
}

/** Of a stream that is a terminal. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    // A terminal that does not say its size has the size that all have had.
    get columns() {
      return stream.columns > 0 ? stream.columns : 80;
    },
    get rows() {
      return stream.rows > 0 ? stream.rows : 24;
    },
    write: (text) => void stream.write(text),
    onResize(listener) {
      stream.on("resize", listener);
      return () => void stream.off("resize", listener);
    },
    onExit(listener) {
      process.on("exit", listener);
      return () => void process.off("exit", listener);
    },
  };
}
