/** What a host keeps of its guests and slices, so that its successor makes the same ones again. Plain data. */

/** Remove a guest when its kernel has stayed away for a while, or only when somebody asks for it. */
export type GuestLifetime = "connected" | "kept";

export interface StoredGuest {
  /** 8 hex digits. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** SHA-256 of the credential, as 64 hex digits: who reads the store can't be the guest. */
  readonly credentialHash: string;
  readonly lifetime: GuestLifetime;
}

/** What the slice's descriptor is stands in `slices/`; here it is something that JSON can carry. */
export type StoredDescriptor = Readonly<Record<string, unknown>>;

export interface StoredSlice {
  /** Lower case. */
  readonly uuid: string;
  /** From `HostStore.nextGeneration`: a new one whenever holder or use change, and at every start of the host. */
  readonly generation: number;
  /** Name of the adapter. */
  readonly adapter: string;
  readonly descriptor: StoredDescriptor;
  readonly use: "projected" | "local" | "vfio" | null;
  /** Id of the guest. */
  readonly holder: string | null;
  /** Which of its holder's slices, from 0: names its queue socket and its PCI slot. 0 without a holder. */
  readonly index: number;
}
