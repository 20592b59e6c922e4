/** How a device reaches its user's memory: through whatever the user has mapped for it, and nothing else. */
export {};
