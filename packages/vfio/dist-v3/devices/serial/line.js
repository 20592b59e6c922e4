/** What a serial port is plugged into, and what that may do with the port. */
/** What a line that nobody drives looks like. */
export const idleInputs = Object.freeze({
    clearToSend: false,
    dataSetReady: false,
    ringIndicator: false,
    carrierDetect: false,
});
/** Somebody who is always there and always ready to receive. */
export const readyInputs = Object.freeze({
    clearToSend: true,
    dataSetReady: true,
    ringIndicator: false,
    carrierDetect: true,
});
/** Nothing is plugged in: what is sent is lost. */
export const openLine = Object.freeze({ send: () => "sent" });
