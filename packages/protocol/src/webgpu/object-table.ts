/**
 * The engine's objects of one queue by the handles that the client chose. Dense arrays: looking an object up is two
 * loads and a compare, done for every argument of every command.
 */
import { ProtocolError } from "../error.js";
import { interfaceName } from "./generated/numbers.js";
import { MAX_OBJECT_ID } from "./limits.js";

/** The handle's object could not be created, or is not there yet: the command is skipped, the queue lives on. */
export class UnavailableObjectError extends Error {
  override readonly name: string = "UnavailableObjectError";
  readonly code = "unavailable-object";
}

/** As many handles are in use as there may be; the command that wanted another is skipped. */
export class ObjectLimitError extends Error {
  override readonly name = "ObjectLimitError";
  readonly code = "object-limit";
}

/** A handle whose object is being made (an asynchronous pipeline). */
export class Reservation {
  readonly id: number;
  readonly kind: number;
  readonly #table: ObjectTable;

  constructor(table: ObjectTable, id: number, kind: number) {
    this.#table = table;
    this.id = id;
    this.kind = kind;
  }

  /** @returns false when the client has released the handle meanwhile: the object belongs to nobody */
  fulfil(object: object): boolean {
    return this.#table.settle(this, object);
  }

  /** From now on commands that use the handle are skipped. */
  fail(): void {
    this.#table.settle(this, undefined);
  }
}

const FAILED = Object.freeze({});
const FIRST_SLOTS = 256;
/** Marks a kind whose object is not usable; kinds themselves stay below. */
const UNAVAILABLE = 0x8000;

export class ObjectTable {
  /** Handles in use beyond which commands that create objects fail. May change at any time, also to less than `size`. */
  capacity = MAX_OBJECT_ID;
  #kinds = new Uint16Array(FIRST_SLOTS);
  readonly #objects: (object | undefined)[] = new Array<object | undefined>(FIRST_SLOTS).fill(undefined);
  #size = 0;

  /** Handles in use. */
  get size(): number {
    return this.#size;
  }

  /** @throws ProtocolError `bad-id` (0 or too large), `id-in-use` */
  put(id: number, kind: number, object: object): void {
    this.#claim(id);
    this.#kinds[id] = kind;
    this.#objects[id] = object;
    this.#size += 1;
  }

  /** As `put`, for an object that will be there later. */
  reserve(id: number, kind: number): Reservation {
    const reservation = new Reservation(this, id, kind);
    this.put(id, kind | UNAVAILABLE, reservation);
    return reservation;
  }

  /** Makes a free handle one whose object could not be created. Does nothing for a handle that is taken or impossible. */
  fail(id: number, kind: number): void {
    if (id <= 0 || id >= MAX_OBJECT_ID || (this.#kinds[id] ?? 0) !== 0) return;
    this.put(id, kind | UNAVAILABLE, FAILED);
  }

  /** @internal Reservation's */
  settle(reservation: Reservation, object: object | undefined): boolean {
    const { id, kind } = reservation;
    if (this.#objects[id] !== reservation) return false;
    this.#kinds[id] = object === undefined ? kind | UNAVAILABLE : kind;
    this.#objects[id] = object ?? FAILED;
    return true;
  }

  /** @throws ProtocolError `unknown-object`, `wrong-kind`; UnavailableObjectError */
  get(id: number, kind: number): object {
    if (this.#kinds[id] === kind && kind !== 0) return this.#objects[id] as object;
    throw this.#miss(id, kind);
  }

  /** Undefined for handle 0. */
  getNullable(id: number, kind: number): object | null {
    return id === 0 ? null : this.get(id, kind);
  }

  /** An object of whatever kind. */
  getAny(id: number): object {
    return this.get(id, (this.#kinds[id] ?? 0) & ~UNAVAILABLE);
  }

  /** The InterfaceKind of a handle, 0 when it is not in use. */
  kindOf(id: number): number {
    return (this.#kinds[id] ?? 0) & ~UNAVAILABLE;
  }

  /** Frees the handle. @returns its object, undefined when it had none to use */
  release(id: number): object | undefined {
    const kind = this.#kinds[id] ?? 0;
    if (kind === 0) throw this.#miss(id, 0);
    const object = this.#objects[id];
    this.#kinds[id] = 0;
    this.#objects[id] = undefined;
    this.#size -= 1;
    return (kind & UNAVAILABLE) === 0 ? object : undefined;
  }

  clear(): void {
    this.#kinds = new Uint16Array(FIRST_SLOTS);
    this.#objects.length = 0;
    for (let slot = 0; slot < FIRST_SLOTS; slot += 1) this.#objects.push(undefined);
    this.#size = 0;
  }

  *[Symbol.iterator](): IterableIterator<readonly [id: number, kind: number, object: object]> {
    for (let id = 0; id < this.#kinds.length; id += 1) {
      const kind = this.#kinds[id]!;
      if (kind !== 0 && (kind & UNAVAILABLE) === 0) yield [id, kind, this.#objects[id] as object];
    }
  }

  #claim(id: number): void {
    if (!(id > 0 && id < MAX_OBJECT_ID)) {
      throw new ProtocolError("bad-id", `handle ${id} is not between 1 and ${MAX_OBJECT_ID - 1}`);
    }
    const slots = this.#kinds.length;
    if (id >= slots) {
      const inTurn = id < slots + 64 && this.#objects.length === slots && this.#size * 2 >= slots;
      const kinds = new Uint16Array(Math.min(MAX_OBJECT_ID, Math.max(id + 1, slots * 2)));
      kinds.set(this.#kinds);
      this.#kinds = kinds;
      // A place is made for who comes next; for a handle out of turn the array gets holes, which cost a lookup's speed and no memory.
      if (inTurn) for (let slot = slots; slot < kinds.length; slot += 1) this.#objects.push(undefined);
    } else if (this.#kinds[id] !== 0) {
      throw new ProtocolError("id-in-use", `handle ${id} is a ${interfaceName(this.kindOf(id))} already`);
    }
  }

  #miss(id: number, kind: number): Error {
    const found = this.#kinds[id] ?? 0;
    if (found === 0) return new ProtocolError("unknown-object", `handle ${id} is not in use`);
    if (kind !== 0 && (found & ~UNAVAILABLE) !== kind) {
      const names = `${interfaceName(found & ~UNAVAILABLE)}, not a ${interfaceName(kind)}`;
      return new ProtocolError("wrong-kind", `handle ${id} is a ${names}`);
    }
    return new UnavailableObjectError(
      `the ${interfaceName(found & ~UNAVAILABLE)} of handle ${id} does not exist`,
    );
  }
}
