import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusErrno } from "./errno.js";
import { errnoOfNtStatus, NtStatus, ntStatusOfErrno } from "./ntstatus.js";

test("statuses become errnos and come back", () => {
  assert.equal(errnoOfNtStatus(NtStatus.SUCCESS), 0);
  assert.equal(errnoOfNtStatus(NtStatus.PENDING), 0);
  assert.equal(errnoOfNtStatus(NtStatus.DEVICE_REMOVED), -StatusErrno.ENODEV);
  assert.equal(errnoOfNtStatus(0xc000_1234), -StatusErrno.EINVAL);
  assert.equal(ntStatusOfErrno(0), NtStatus.SUCCESS);
  assert.equal(ntStatusOfErrno(-StatusErrno.ENOTTY), NtStatus.INVALID_DEVICE_REQUEST);
  assert.equal(ntStatusOfErrno(-9999), NtStatus.UNSUCCESSFUL);
  for (const status of Object.values(NtStatus)) {
    const errno = errnoOfNtStatus(status);
    if (errno < 0)
      assert.equal(
        errnoOfNtStatus(ntStatusOfErrno(errno)),
        status === NtStatus.UNSUCCESSFUL ? -StatusErrno.EINVAL : errno,
      );
  }
});

test("a timeout is told, though NT counts it as success", () => {
  assert.equal(errnoOfNtStatus(NtStatus.TIMEOUT), -StatusErrno.EAGAIN);
});
