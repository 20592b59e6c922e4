import type { Dispute } from "../../dispute.js";
import { killedRemover, removeOpen, revokedFile } from "./programs.js";

export const openFile: Dispute = {
  id: "D7.5",
  thread: "mdev",
  title: "An mdev is removed while it is open",
  argued:
    "Removal waits in vfio until the files are closed, with locks held; meanwhile the uuid stays taken. Killing the user has " +
    "to end the wait, killing whoever removes must not end the mdev under the user.",
  found:
    "Removal ends if and only if the user lets go: killed or asked, but not left alone. A remover that gives up when " +
    "it is killed frees what the user has open. Revoking the file ends the wait without anybody's good will.",
  variants: [
    {
      name: "a user who never closes",
      program: removeOpen("never closes"),
      expected: "unsafe",
      finds: "deadlock",
    },
    { name: "a user who is killed", program: removeOpen("is killed"), expected: "safe" },
    { name: "a user who closes when asked", program: removeOpen("closes when asked"), expected: "safe" },
    {
      name: "a killed remover that frees",
      program: killedRemover("frees"),
      expected: "unsafe",
      finds: "use-after-free",
    },
    {
      name: "a killed remover that goes on waiting (the kernel)",
      program: killedRemover("goes on waiting"),
      expected: "safe",
    },
    { name: "the file is revoked", program: revokedFile(), expected: "safe" },
  ],
};
