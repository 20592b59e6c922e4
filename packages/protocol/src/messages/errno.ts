/** The Linux error numbers that a reply's status can carry (asm-generic/errno-base.h, errno.h), negated there. */
export const StatusErrno = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  EPIPE: 32,
  ENOSYS: 38,
  EPROTO: 71,
  EOVERFLOW: 75,
  EPROTOTYPE: 91,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
  EDQUOT: 122,
  ECANCELED: 125,
} as const;

export type StatusCode = keyof typeof StatusErrno;

/** The name of an error number, or `E<number>` for one that is not in the table. */
export function errnoName(errno: number): string {
  for (const [name, number] of Object.entries(StatusErrno)) if (number === errno) return name;
  return `E${errno}`;
}
