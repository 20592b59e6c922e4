/**
 * What one stable code means and what helps. The catalogues of codes are the source of the codes' types, so a code that is thrown is
 * listed; docs/errors.md is made of them.
 */
export interface CodeEntry {
  readonly means: string;
  /** What to do about it, as a sentence; empty where there is nothing to do but wait or report. */
  readonly remedy: string;
}

const newer = "Use the same release on both ends; if they are, report it: one end is wrong.";

/** Codes of ProtocolError. Whoever owns the connection closes it. */
export const protocolErrorCodes = {
  "bad-engine-message": { means: "A message between host and engine has a wrong shape.", remedy: newer },
  "bad-fragment": { means: "The pieces of a long command do not fit together.", remedy: newer },
  "bad-frame": { means: "A frame of a stream carrier has an unknown kind or size.", remedy: newer },
  "bad-geometry": { means: "The rings that a client asks for have sizes no queue can have.", remedy: newer },
  "bad-head": { means: "The other end moved a ring's head where it can't be.", remedy: newer },
  "bad-header": {
    means: "What came is no message of this protocol.",
    remedy: "Check the address: is it Parhelion that listens there?",
  },
  "bad-hello": { means: "The first message on a queue's socket is no queue's hello.", remedy: newer },
  "bad-id": {
    means: "An object's handle is out of range, or of an object that lives as long as its queue.",
    remedy: newer,
  },
  "bad-length": { means: "A field's length does not fit into the message that has it.", remedy: newer },
  "bad-offer": { means: "A channel is offered under a number that is reserved or in use.", remedy: newer },
  "bad-record": { means: "A record in a ring has a size that it can't have.", remedy: newer },
  "bad-reply": { means: "A reply names what was not asked for.", remedy: newer },
  "bad-size": { means: "A message says a size that it can't have.", remedy: newer },
  "bad-state": { means: "A message came that is not allowed at this point.", remedy: newer },
  "bad-tail": { means: "The other end moved a ring's tail where it can't be.", remedy: newer },
  "bad-text": { means: "A text is not UTF-8.", remedy: newer },
  "bad-value": { means: "A value is outside of its type.", remedy: newer },
  "id-in-use": { means: "A new object was given the handle of a living one.", remedy: newer },
  "missing-member": { means: "A required member of a dictionary is absent.", remedy: newer },
  "no-contact": { means: "A guest sent a message before it made contact.", remedy: newer },
  "no-credit": { means: "A stream sent more than the reader had room for.", remedy: newer },
  "not-supported": { means: "A command, event or value that this end does not know.", remedy: newer },
  "over-limit": {
    means: "A command is larger than one command may be.",
    remedy: "Split the work: smaller writes, fewer elements in one call.",
  },
  "outside-of-mapping": {
    means: "Bytes were written outside of the range of a buffer that is mapped.",
    remedy: newer,
  },
  "replies-not-read": {
    means: "An application does not read what its queue answers, and too much waits.",
    remedy: "Await promises of the device, and give the event loop its turn.",
  },
  "short-record": { means: "A command ends before its arguments do.", remedy: newer },
  "too-long": {
    means: "A message, text or list is longer than its limit.",
    remedy: "Send less at once; the message names the limit.",
  },
  "too-many": {
    means: "More channels were offered than a connection can have.",
    remedy: "Give the guest fewer slices.",
  },
  "too-many-maps": {
    means: "More mapAsync requests of one queue are unanswered than an engine keeps.",
    remedy: "Await mapAsync before mapping more buffers.",
  },
  truncated: { means: "A message ends before its header does.", remedy: newer },
  "unknown-channel": { means: "A packet for a channel that is not offered.", remedy: newer },
  "unknown-object": { means: "A command names an object that does not exist.", remedy: newer },
  "unknown-packet": { means: "A packet of a type that is not used.", remedy: newer },
  "wrong-kind": { means: "A command names an object of another kind than it needs.", remedy: newer },
  "wrong-reply": { means: "A reply answers a request that was not made, or of another kind.", remedy: newer },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type ProtocolErrorCode = keyof typeof protocolErrorCodes;
