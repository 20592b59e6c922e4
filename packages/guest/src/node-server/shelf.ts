/**
 * Where applications find the nodes: sockets in the run directory, or whatever else brings them. What comes from there is told one
 * thing at a time, each as a step of its own; everything that waits is above.
 */
import type { DeviceNode } from "parhelion-core";
import type { Deliver, NodeRequest } from "../dxg/request.js";

export type ServableNode = DeviceNode<NodeRequest, Uint8Array>;

/** One application at one node, as the node's session sees it. */
export interface NodePeer {
  readonly deliver: Deliver;
  /** What was delivered and answered before still arrives. The session is told `ended` as for any other end. Idempotent. */
  end(reason: Error): void;
}

/** One of the two is called, once. */
export interface NodeAnswer {
  reply(body: Uint8Array): void;
  refuse(error: unknown): void;
}

/** What an application does at one node. */
export interface NodeVisit {
  request(type: number, body: Uint8Array, answer: NodeAnswer): void;
  /** The application has gone, or was sent away (then perhaps from within `end`). Called once; nothing comes afterwards. */
  ended(): void;
}

export interface NodeReception {
  /** Called as soon as somebody comes. @param known called once it is clear that the application means this node */
  admit(peer: NodePeer, known: () => void): NodeVisit;
}

/** The way to one node. */
export interface NodeDoor {
  /** Lets applications in. Without effect when it has been closed, then or meanwhile. @throws the operating system's errors */
  open(): Promise<void>;
  /** Lets nobody in any more; who is in stays. Waits for nothing. Idempotent. */
  close(): void;
}

export interface NodeShelf {
  door(node: ServableNode, reception: NodeReception): NodeDoor;
  /** Whether there still is a place where somebody could look. */
  readonly present: boolean;
  /** What applications must know without asking. Readers see the old text or the new one. @throws the operating system's errors */
  publish(text: string): Promise<void>;
  /** Takes back what was published. */
  retract(): Promise<void>;
  /** Where it is published, for messages. */
  readonly where: string;
}
