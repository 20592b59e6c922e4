/** What can be made of a parent, and what is asked of it. */

/** One kind of mediated device that a parent offers. */
export interface MdevType {
  /** Without the parent driver's name, which its directory starts with. */
  readonly name: string;
  /** Shown as `device_api`: what whoever uses such a device has to speak. */
  readonly deviceApi: string;
  /** Shown as `name`. Default: the name of the type's directory. */
  readonly prettyName?: string;
  /** Shown as `description`; may have several lines. Without it there is no such file. */
  readonly description?: string;
}

/** One mediated device that is wanted. */
export interface MdevRequest<O = unknown> {
  /** Lower case. */
  readonly uuid: string;
  readonly type: MdevType;
  /** The name of the driver that will be bound to it; null: none. */
  readonly use: string | null;
  /** What `MdevParent.create` was given; undefined from the `create` file. */
  readonly options: O | undefined;
}
