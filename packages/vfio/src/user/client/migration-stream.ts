/** The state of a migrating device, which goes by messages where Linux has a descriptor. */
import type { WaitOptions } from "parhelion-core";
import { Feature, type FeatureCall, FeatureFlag, type FeatureReply } from "../../device/calls.js";
import { type MigrationState, type MigrationStream, migrationStates } from "../../migration/ops.js";
import { encodeFeature } from "../wire/feature.js";
import type { Conversation } from "./conversation.js";
import {
  decodeFeatureData,
  decodeMigrationData,
  encodeMigrationRead,
  encodeMigrationWrite,
} from "./messages.js";

const saving: readonly (MigrationState | undefined)[] = ["PRE_COPY", "PRE_COPY_P2P", "STOP_COPY"];

/** FEATURE. @param dataBytes most of one message @throws KernelError what the server answers */
export async function askFeature(
  conversation: Conversation,
  call: FeatureCall,
  dataBytes: number,
  options?: WaitOptions,
): Promise<FeatureReply> {
  const { argsz, flags, data = new Uint8Array() } = call;
  const body = encodeFeature(flags, data, argsz);
  const answer = await conversation.ask("DEVICE_FEATURE", body, decodeFeatureData, options);
  const isSet = (flags & (FeatureFlag.SET | FeatureFlag.PROBE)) === FeatureFlag.SET;
  if ((flags & FeatureFlag.MASK) !== Feature.MIG_DEVICE_STATE || !isSet) return { data: answer };
  const state = migrationStates[data[0] ?? 0];
  if (saving.includes(state)) return { data: answer, stream: outgoing(conversation, dataBytes) };
  return state === "RESUMING"
    ? { data: answer, stream: incoming(conversation, dataBytes) }
    : { data: answer };
}

function outgoing(conversation: Conversation, dataBytes: number): MigrationStream {
  return {
    read: (length) => {
      const size = Math.min(length, dataBytes);
      const decode = (body: Uint8Array): Uint8Array => decodeMigrationData(body, size);
      return conversation.ask("MIG_DATA_READ", encodeMigrationRead(size), decode);
    },
  };
}

function incoming(conversation: Conversation, dataBytes: number): MigrationStream {
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; at += dataBytes) {
        const body = encodeMigrationWrite(bytes.subarray(at, at + dataBytes));
        await conversation.ask("MIG_DATA_WRITE", body, () => undefined);
      }
    },
  };
}
