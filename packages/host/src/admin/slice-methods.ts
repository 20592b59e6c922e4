/** What administrators can do with adapters and slices. */
import type { Runtime } from "parhelion-core";
import {
  fixedShares,
  parseSliceType,
  parseSliceWish,
  type SliceWish,
  sliceTypes,
} from "../slices/descriptor.js";
import { describeType } from "../slices/slice-adapters.js";
import { sliceUses } from "../slices/slice-drivers.js";
import type { SliceHouse } from "../slices/slice-house.js";
import type { SliceRequest } from "../slices/slice-request.js";
import { adapterStatuses, sliceStatus, sliceStatuses } from "../status.js";
import type { AdminMethod, AdminParams } from "./admin-server.js";
import {
  optionalChoice,
  optionalCount,
  optionalName,
  optionalText,
  optionalUuid,
  text,
  uuid,
} from "./parameters.js";

export interface SliceTypeStatus {
  readonly adapter: string;
  readonly type: string;
  readonly description: string;
  /** How many more of them fit now. */
  readonly available: number;
  /** What one of them has; null where that is said when it is made. */
  readonly memory: { readonly reservedBytes: number; readonly limitBytes: number } | null;
  readonly share: number | null;
}

export function sliceMethods(
  runtime: Runtime,
  { slices, adapters }: Pick<SliceHouse, "slices" | "adapters">,
): Readonly<Record<string, AdminMethod>> {
  const shown = async (id: string) => sliceStatus(runtime, slices.get(id));
  return {
    adapterList: async () => adapterStatuses(adapters),
    adapterAdd: async (params) => {
      const name = optionalText(params, "name");
      const wish = optionalText(params, "adapter");
      const memoryBytes = optionalCount(params, "memoryBytes");
      // A removed one comes back as it was; one that nobody knows is the best there is.
      const known = name !== undefined && adapters.values().some((adapter) => adapter.name === name);
      const fresh = { wish: wish ?? "best", ...(memoryBytes === undefined ? {} : { memoryBytes }) };
      const asBefore = known && wish === undefined && memoryBytes === undefined;
      const device = await adapters.add(asBefore ? undefined : fresh, name);
      return adapterStatuses(adapters).find((adapter) => adapter.name === device.name);
    },
    adapterRemove: async (params) => adapters.remove(text(params, "name", "adapterRemove")),
    sliceTypes: async (params) => typesOf(slices, optionalText(params, "adapter")),
    sliceCreate: async (params) => {
      const [entry] = await slices.create([request(params)]);
      return entry === undefined ? {} : sliceStatus(runtime, entry);
    },
    sliceList: async () => sliceStatuses(runtime, slices),
    sliceShow: async (params) => shown(uuid(params, "uuid", "sliceShow")),
    sliceResize: async (params) => {
      const id = uuid(params, "uuid", "sliceResize");
      await slices.resize(id, parseSliceWish(params["changes"] ?? {}), optionalCount(params, "generation"));
      return shown(id);
    },
    sliceMove: async (params) => {
      const id = uuid(params, "uuid", "sliceMove");
      const holder = optionalName(params, "guest");
      const adapter = optionalText(params, "adapter");
      const to = {
        ...(holder === undefined ? {} : { holder }),
        ...(adapter === undefined ? {} : { adapter }),
      };
      await slices.move(id, to, optionalCount(params, "generation"));
      return shown(id);
    },
    sliceRemove: async (params) =>
      slices.remove(uuid(params, "uuid", "sliceRemove"), optionalCount(params, "generation")),
  };
}

/** `type` beside the descriptor counts as in it. @throws HostError bad-descriptor */
export function wishOf(params: AdminParams): SliceWish {
  const wish = params["descriptor"] === undefined ? {} : parseSliceWish(params["descriptor"]);
  return params["type"] === undefined ? wish : { ...wish, type: parseSliceType(params["type"]) };
}

function request(params: AdminParams): SliceRequest {
  const adapter = optionalText(params, "adapter");
  const holder = optionalName(params, "guest");
  const id = optionalUuid(params, "uuid");
  const use = params["use"] === null ? null : optionalChoice(params, "use", sliceUses);
  return {
    wish: wishOf(params),
    ...(adapter === undefined ? {} : { adapter }),
    ...(holder === undefined ? {} : { holder }),
    ...(use === undefined ? {} : { use }),
    ...(id === undefined ? {} : { uuid: id }),
  };
}

function typesOf(slices: SliceHouse["slices"], adapter: string | undefined): readonly SliceTypeStatus[] {
  const chosen = adapter === undefined ? slices.adapters.values() : [slices.adapters.present(adapter)];
  return chosen.flatMap(({ name, ledger }) =>
    sliceTypes.map((type): SliceTypeStatus => {
      const bytes = ledger.capacity.memoryBytes;
      const part = fixedShares[type];
      const whole =
        type === "custom"
          ? null
          : { reservedBytes: Math.floor(bytes * (part ?? 0)), limitBytes: Math.floor(bytes * (part ?? 1)) };
      return {
        adapter: name,
        type,
        description: describeType(type, bytes),
        available: ledger.available(type),
        memory: whole,
        share: type === "custom" ? null : (part ?? 0),
      };
    }),
  );
}
