/** What the guest's kernel bounds by itself, before the host does; docs/errors.md is made of it. */
import { MAX_VGPUS } from "./dxg/node.js";
import { MAX_OBJECTS } from "./dxg/object.js";
import { MAX_FILES } from "./dxg/vgpu.js";

export const guestRules = {
  filesPerVgpu: {
    limit: MAX_FILES,
    means: "Files open on one vGPU. Beyond it opening the node fails with EMFILE.",
  },
  handlesPerTable: {
    limit: MAX_OBJECTS,
    means: "Objects that one open file has. Beyond it making one fails with EMFILE.",
  },
  vgpus: {
    limit: MAX_VGPUS,
    means: "vGPUs that have nodes. Beyond it the driver does not bind: ENOSPC, in the log.",
  },
} as const;
