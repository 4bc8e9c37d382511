"""A WHIP client on GStreamer's webrtcbin: sends a test picture and a tone of 440 Hz until its standard input closes.

Usage: whip-gstreamer.py URL TOKEN vp8|h264
"""

import sys
import threading
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ENCODERS = {
    "vp8": "vp8enc deadline=1 keyframe-max-dist=15 ! rtpvp8pay ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
    # As encoded for broadcasts: the High profile, without B-frames.
    "h264": "x264enc tune=zerolatency key-int-max=15 ! video/x-h264,profile=high ! rtph264pay config-interval=-1 aggregate-mode=zero-latency"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=96",
}


def main(url: str, token: str, codec: str) -> None:
    Gst.init(None)
    pipeline = Gst.parse_launch(
        "webrtcbin name=webrtc bundle-policy=max-bundle"
        " videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=15/1,format=I420"
        f" ! {ENCODERS[codec]} ! webrtc."
        " audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! audio/x-raw,rate=48000,channels=2"
        " ! opusenc ! rtpopuspay ! application/x-rtp,media=audio,encoding-name=OPUS,payload=97 ! webrtc."
    )
    webrtc = pipeline.get_by_name("webrtc")
    loop = GLib.MainLoop()
    session = {}

    def request(method: str, at: str, body: bytes | None = None):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/sdp"}
        return urllib.request.urlopen(urllib.request.Request(at, body, headers, method=method))

    def on_gathered(*_) -> None:
        if webrtc.get_property("ice-gathering-state") != GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            return
        offer = webrtc.get_property("local-description").sdp.as_text()
        with request("POST", url, offer.encode()) as answer:
            session["location"] = answer.headers["Location"]
            text = answer.read()
        _, sdp = GstSdp.SDPMessage.new()
        GstSdp.sdp_message_parse_buffer(text, sdp)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        webrtc.emit("set-remote-description", answer, Gst.Promise.new())

    def on_offer(promise: Gst.Promise, *_) -> None:
        promise.wait()
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        webrtc.emit("set-local-description", offer, Gst.Promise.new())

    def on_needed(_) -> None:
        at = 0
        while transceiver := webrtc.emit("get-transceiver", at):
            transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
            at += 1
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(on_offer, None))

    def until_closed() -> None:
        sys.stdin.read()
        GLib.idle_add(loop.quit)

    webrtc.connect("on-negotiation-needed", on_needed)
    webrtc.connect("notify::ice-gathering-state", on_gathered)
    threading.Thread(target=until_closed, daemon=True).start()
    pipeline.set_state(Gst.State.PLAYING)
    loop.run()
    with request("DELETE", session["location"]) as answer:
        print(answer.status)
    pipeline.set_state(Gst.State.NULL)


main(*sys.argv[1:])
