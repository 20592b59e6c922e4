/** Nodes and files that outlive what they stand for. */
import type { Dispute } from "../dispute.js";
import { cachedInode } from "./cached-inode/dispute.js";
import { devmFromAFile } from "./devm-from-a-file/dispute.js";
import { mappingAfterRemoval } from "./mapping-after-removal/dispute.js";
import { nodeBeforeCount } from "./node-before-count/dispute.js";
import { openAgainstDeregister } from "./open-against-deregister/dispute.js";
import { passedFile } from "./passed-file/dispute.js";
import { storeAgainstRemoval } from "./store-against-removal/dispute.js";

export const disputes: readonly Dispute[] = [
  openAgainstDeregister,
  cachedInode,
  devmFromAFile,
  storeAgainstRemoval,
  nodeBeforeCount,
  passedFile,
  mappingAfterRemoval,
];
