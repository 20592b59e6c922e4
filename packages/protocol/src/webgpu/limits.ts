/** The limits that writers keep to and readers enforce. Both ends' code says `over-limit` and names one of these. */

/** Handles are below this: the engine keeps them in dense arrays. */
export const MAX_OBJECT_ID = 1 << 20;

/** Bytes of a record that was cut into fragments, header included: a shader, or one writeTexture. */
export const MAX_ASSEMBLED_RECORD = 512 * 1024 * 1024;

/** UTF-8 bytes of one string: below V8's longest string even when every byte becomes a code unit. */
export const MAX_STRING_BYTES = 256 * 1024 * 1024;

/**
 * Elements of all sequences and records of one command together. Decoded elements take more memory than their bytes:
 * this bounds the sum. A bind group has at most 1000 entries, a submit rarely thousands of command buffers.
 */
export const MAX_ELEMENTS = 1 << 18;

/** Bytes of data in one writeBuffer, mapped-range or map-reply record; more data takes more records. */
export const MAX_DATA_CHUNK = 4 * 1024 * 1024;

/** UTF-16 code units of a text in an event (a message of an error or of the compiler); longer ones are cut. */
export const MAX_EVENT_TEXT = 64 * 1024;

/** Messages in one compilation info; more are cut. */
export const MAX_COMPILATION_MESSAGES = 1024;
