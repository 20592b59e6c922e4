/**
 * What a message may be, so that nobody who connects can make the server hold more than it means to. The first two are the
 * protocol's defaults, which a peer assumes where nothing else is negotiated.
 */

/** Bytes of data in one message. */
export const defaultDataBytes = 1024 * 1024;
/** Descriptors in one message. */
export const defaultMessageFds = 1;

/** Descriptors that the server takes in one message. */
export const maxMessageFds = 8;
/** A peer may claim to take so many, as libvfio-user has it. */
export const maxPeerFds = 1024;
/** The structures before the data of a message, the header included, fit into this. */
export const overheadBytes = 4096;
/** The capabilities of a VERSION message, in bytes of JSON. */
export const maxCapabilityBytes = 4096;
/** Writes in one REGION_WRITE_MULTI. */
export const maxWrites = 1024;
/** Bytes of one write in a REGION_WRITE_MULTI: the protocol's. */
export const multiWriteBytes = 8;
/** Interrupts of one index that one SET_IRQS names: MSI-X has no more. */
export const maxIrqs = 2048;
/** Mappings at a time, as Linux' type 1 IOMMU has it. */
export const maxDmaMaps = 65_535;
