/** Secrets, injected: credentials of guests and tokens of queues. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export interface Secrets {
  /** `bytes` random bytes as lower-case hex digits, unguessable. */
  hex(bytes: number): string;
}

export const systemSecrets: Secrets = { hex: (bytes) => randomBytes(bytes).toString("hex") };

/** SHA-256 of a secret, as 64 hex digits: what is kept of it. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex");
}

/** Whether two hashes are equal, in a time that does not tell where they differ. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"));
}
