export class LoopBackPlug {
    #port;
    constructor(port) {
        this.#port = port;
    }
    send(character) {
        this.#port.receive(character);
        return "sent";
    }
    outputs({ dataTerminalReady, requestToSend }) {
        this.#port.inputs({
            clearToSend: requestToSend,
            dataSetReady: dataTerminalReady,
            carrierDetect: dataTerminalReady,
            ringIndicator: false,
        });
    }
    break(state) {
        // One zero character, however long it lasts.
        if (state === "on")
            this.#port.receive(0, "break");
    }
}
