/** Channel I/O on the device model. */
export {};
