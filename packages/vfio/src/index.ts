/** VFIO on the device model: any device whose driver is written on it, handed to a user outside. */
export {};
