/** Secrets, injected: credentials of guests and tokens of queues. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

export interface Secrets {
  /** `bytes` random bytes as lower-case hex digits, unguessable. */
  hex(bytes: number): string;
}

export const systemSecrets: Secrets = { hex: (bytes) => randomBytes(bytes).toString("hex") };

/** Whether two secrets are equal, in a time that tells nothing about where they differ, nor about the length. */
export function sameSecret(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(secret: string): Buffer {
  return createHash("sha256").update(secret, "utf8").digest();
}
