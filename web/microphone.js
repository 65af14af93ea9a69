/** The microphone: opening it, following device changes, and saying what it is. */

const CONSTRAINTS = Object.freeze({
  echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1,
});

/** How the sound travels, as far as the device's name tells. */
function routeOf(label) {
  if (/bluetooth|airpods|buds|hands-?free/i.test(label)) return "bluetooth_hfp";
  if (/head(set|phone)|wired|earpods/i.test(label)) return "wired";
  return "speaker";
}

/** Turns the device's sound into blocks of 16 kHz PCM16; see capture-worklet.js. */
export class Microphone {
  /**
   * @param {AudioContext} context
   * @param {{onBlock: Function, onDevice: Function, onMicrophoneLost: Function}} handlers
   */
  constructor(context, handlers) {
    this.context = context;
    this.handlers = handlers;
    this.stream = null;
    /** Milliseconds between a sound at the microphone and its coming in, as far as the browser knows. */
    this.latencyMs = 0;
    this.muted = false;
    this.deviceChanged = () => this.onDeviceChange();
  }

  /** Whether a device is open. */
  get open() {
    return this.stream !== null;
  }

  /**
   * Asks for the microphone. May be called before the worklet module is loaded.
   *
   * @throws {DOMException} NotAllowedError, NotFoundError, NotReadableError …
   */
  async request() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS, video: false });
    const [track] = this.stream.getAudioTracks();
    this.latencyMs = 1000 * (track.getSettings().latency ?? 0);
    track.onended = () => this.onDeviceChange();
    navigator.mediaDevices.addEventListener("devicechange", this.deviceChanged);
  }

  /** Starts delivering blocks; the worklet module must be loaded. */
  connect() {
    if (!this.stream) return;
    this.source = this.context.createMediaStreamSource(this.stream);
    if (!this.node) {
      this.node = new AudioWorkletNode(this.context, "kalami-capture", {
        numberOfInputs: 1, numberOfOutputs: 1, outputChannelCount: [1],
        channelCount: 1, channelCountMode: "explicit",
      });
      this.node.port.onmessage = ({ data }) => this.handlers.onBlock(data);
      this.node.connect(this.context.destination); // silent; keeps the node running everywhere
    }
    this.source.connect(this.node);
  }

  /** Mutes at the source, so that the browser's own indicator tells the truth. */
  setMuted(muted) {
    this.muted = muted;
    this.stream?.getAudioTracks().forEach((track) => { track.enabled = !muted; });
  }

  /** What the protocol's `input_audio.state` wants to know. */
  facts() {
    const track = this.stream?.getAudioTracks()[0];
    const settings = track?.getSettings() ?? {};
    return {
      muted: this.muted || !track,
      route: routeOf(track?.label ?? ""),
      native_rate: settings.sampleRate ?? this.context.sampleRate,
      aec: Boolean(settings.echoCancellation),
      ns: Boolean(settings.noiseSuppression),
      agc: Boolean(settings.autoGainControl),
      backgrounded: document.hidden && this.context.state !== "running",
    };
  }

  close() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.deviceChanged);
    this.release();
    this.node?.disconnect();
    this.node = null;
  }

  release() {
    this.source?.disconnect();
    this.source = null;
    this.stream?.getTracks().forEach((track) => {
      track.onended = null;
      track.stop();
    });
    this.stream = null;
  }

  /** A device came or went: take up another one if ours has ended, and tell what we have now. */
  async onDeviceChange() {
    const live = this.stream?.getAudioTracks().some((track) => track.readyState === "live");
    if (live) {
      this.handlers.onDevice(this.facts(), false);
      return;
    }
    if (!this.stream) return;
    navigator.mediaDevices.removeEventListener("devicechange", this.deviceChanged);
    this.release();
    try {
      await this.request();
      this.setMuted(this.muted);
      this.connect();
      this.handlers.onDevice(this.facts(), true);
    } catch (error) {
      this.handlers.onMicrophoneLost(error);
    }
  }
}
