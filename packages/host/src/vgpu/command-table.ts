/** Commands by number, decoded before and encoded after the handler, which sees neither bytes nor statuses. */
import { type Exchange, NtStatus } from "parhelion-protocol";
import { asCommandError, CommandError } from "./command-error.js";

/** @param process the handle in the command's header */
export type CommandHandler<C> = (context: C, process: number, body: Uint8Array) => Promise<Uint8Array>;

export interface Command<C> {
  readonly type: number;
  readonly name: string;
  readonly handle: CommandHandler<C>;
}

export function command<C, Q, R>(
  exchange: Exchange<Q, R>,
  run: (context: C, request: Q, process: number) => Partial<R> | Promise<Partial<R>>,
): Command<C> {
  return {
    type: exchange.type,
    name: exchange.name,
    handle: async (context, process, body) =>
      exchange.reply.encode(await run(context, exchange.request.decode(body), process)),
  };
}

export class CommandTable<C> {
  readonly #commands: ReadonlyMap<number, Command<C>>;
  readonly #failed: (command: string, error: unknown) => void;
  readonly #full: (command: string, refusal: CommandError) => void;

  /**
   * @param failed told of errors that are the host's own fault
   * @param full told of what was refused because of a limit
   */
  constructor(
    commands: readonly Command<C>[],
    failed: (command: string, error: unknown) => void,
    full: (command: string, refusal: CommandError) => void = () => undefined,
  ) {
    this.#commands = new Map(commands.map((each) => [each.type, each]));
    this.#failed = failed;
    this.#full = full;
  }

  /** @returns the reply's body. @throws CommandError and nothing else */
  async serve(context: C, type: number, process: number, body: Uint8Array): Promise<Uint8Array> {
    const known = this.#commands.get(type);
    if (known === undefined) {
      throw new CommandError(NtStatus.NOT_SUPPORTED, `command ${type} is not known to this host`);
    }
    try {
      return await known.handle(context, process, body);
    } catch (error) {
      const refusal = asCommandError(error);
      if (refusal.status === NtStatus.UNSUCCESSFUL) this.#failed(known.name, error);
      if (refusal.status === NtStatus.QUOTA_EXCEEDED) this.#full(known.name, refusal);
      throw refusal;
    }
  }
}
