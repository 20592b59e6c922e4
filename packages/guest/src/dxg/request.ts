/** What a node server and the driver say to each other about one open file. */
import type { Notice } from "parhelion-protocol";

/** Tells an application something that it has not asked for. */
export type Deliver = <T>(notice: Notice<T>, value: Partial<T>) => void;

export type NodeRequest =
  /** One ioctl: number and body. The reply's body comes back. */
  | { readonly kind: "ioctl"; readonly type: number; readonly body: Uint8Array }
  /** From here on `deliver` gets the file's events. */
  | { readonly kind: "listen"; readonly deliver: Deliver };

export const NodeEventKind = { NODE_GONE: 1, DEVICE_LOST: 2 } as const;
