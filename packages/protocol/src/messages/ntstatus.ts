/**
 * The host answers with NTSTATUS, applications hear errno. One table for both directions, after dxgkrnl's
 * ntstatus2int and libdxg's inverse. One line differs: STATUS_TIMEOUT is a success code in NT's numbering, and
 * there the test for success comes first, so that a timeout can never be told; here it is looked up before. The last
 * lines are additions, so that what a host refuses arrives as what it was.
 */
import { StatusErrno } from "./errno.js";

export const NtStatus = {
  SUCCESS: 0,
  TIMEOUT: 0x0000_0102,
  PENDING: 0x0000_0103,
  DEVICE_BUSY: 0x8000_0011,
  UNSUCCESSFUL: 0xc000_0001,
  NOT_IMPLEMENTED: 0xc000_0002,
  INVALID_HANDLE: 0xc000_0008,
  INVALID_PARAMETER: 0xc000_000d,
  INVALID_DEVICE_REQUEST: 0xc000_0010,
  NO_MEMORY: 0xc000_0017,
  ILLEGAL_INSTRUCTION: 0xc000_001d,
  ACCESS_DENIED: 0xc000_0022,
  BUFFER_TOO_SMALL: 0xc000_0023,
  TYPE_MISMATCH: 0xc000_0024,
  NAME_INVALID: 0xc000_0033,
  NAME_NOT_FOUND: 0xc000_0034,
  NAME_COLLISION: 0xc000_0035,
  QUOTA_EXCEEDED: 0xc000_0044,
  IO_TIMEOUT: 0xc000_00b5,
  NOT_SUPPORTED: 0xc000_00bb,
  TOO_MANY_OPENED_FILES: 0xc000_011f,
  CANCELLED: 0xc000_0120,
  IO_DEVICE_ERROR: 0xc000_0185,
  RETRY: 0xc000_022d,
  DEVICE_REMOVED: 0xc000_02b6,
  FILE_HANDLE_REVOKED: 0xc000_0910,
  ALLOCATION_BUSY: 0xc01e_0102,
} as const;

/** Two statuses may share an errno; the way back takes the first. */
const table: readonly (readonly [status: number, errno: number])[] = [
  [NtStatus.NAME_COLLISION, StatusErrno.EEXIST],
  [NtStatus.NO_MEMORY, StatusErrno.ENOMEM],
  [NtStatus.INVALID_PARAMETER, StatusErrno.EINVAL],
  [NtStatus.NAME_INVALID, StatusErrno.ENOENT],
  [NtStatus.NAME_NOT_FOUND, StatusErrno.ENOENT],
  [NtStatus.RETRY, StatusErrno.EAGAIN],
  [NtStatus.TIMEOUT, StatusErrno.EAGAIN],
  [NtStatus.BUFFER_TOO_SMALL, StatusErrno.EOVERFLOW],
  [NtStatus.DEVICE_REMOVED, StatusErrno.ENODEV],
  [NtStatus.ACCESS_DENIED, StatusErrno.EACCES],
  [NtStatus.NOT_SUPPORTED, StatusErrno.EPERM],
  [NtStatus.NOT_IMPLEMENTED, StatusErrno.EPERM],
  [NtStatus.ILLEGAL_INSTRUCTION, StatusErrno.EOPNOTSUPP],
  [NtStatus.INVALID_HANDLE, StatusErrno.EBADF],
  [NtStatus.ALLOCATION_BUSY, StatusErrno.EINPROGRESS],
  [NtStatus.TYPE_MISMATCH, StatusErrno.EPROTOTYPE],
  [NtStatus.QUOTA_EXCEEDED, StatusErrno.EDQUOT],
  [NtStatus.INVALID_DEVICE_REQUEST, StatusErrno.ENOTTY],
  [NtStatus.IO_TIMEOUT, StatusErrno.ETIMEDOUT],
  [NtStatus.TOO_MANY_OPENED_FILES, StatusErrno.EMFILE],
  [NtStatus.CANCELLED, StatusErrno.ECANCELED],
  [NtStatus.IO_DEVICE_ERROR, StatusErrno.EIO],
  [NtStatus.DEVICE_BUSY, StatusErrno.EBUSY],
  [NtStatus.FILE_HANDLE_REVOKED, StatusErrno.ESTALE],
];

/** 0 for success, a negative errno for a failure, EINVAL's for one that is not in the table. */
export function errnoOfNtStatus(status: number): number {
  for (const [known, errno] of table) if (known === status) return -errno;
  const severity = status >>> 30;
  return severity < 2 ? 0 : -StatusErrno.EINVAL;
}

/** @param status 0 or a negative errno; one that is not in the table becomes UNSUCCESSFUL */
export function ntStatusOfErrno(status: number): number {
  if (status >= 0) return NtStatus.SUCCESS;
  for (const [known, errno] of table) if (errno === -status) return known;
  return NtStatus.UNSUCCESSFUL;
}
