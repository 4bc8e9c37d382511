/**
 * `<anteroom-meeting>`: the meeting page in a frame, for apps of any origin. They load it from the server as
 * `/embed.js`, and it shows the page of that server.
 */
import { VERSION } from './protocol.ts'

const ALLOW = 'camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; clipboard-write'
const server = new URL(/* @vite-ignore */ '.', import.meta.url)

class AnteroomMeeting extends HTMLElement {
  static readonly observedAttributes = ['meeting', 'lang']
  /** The token is a property: an attribute would stay in the document, for every script and style to see. */
  #token: string | undefined
  #frame: HTMLIFrameElement | undefined
  #isReady = false
  readonly #hear = ({ source, origin, data }: MessageEvent<{ type?: unknown } | null>): void => {
    if (source !== this.#frame?.contentWindow || origin !== server.origin) return
    const type = data?.type
    if (typeof type !== 'string' || !type.startsWith('anteroom:')) return
    if (type === 'anteroom:ready') {
      this.#isReady = true
      this.#handOver()
    }
    this.dispatchEvent(new CustomEvent(type.slice('anteroom:'.length), { detail: data }))
  }

  set token(token: string) {
    this.#token = token
    this.#handOver()
  }

  connectedCallback(): void {
    // An app may have set it before this script arrived, and then it hides the property of the class.
    if (Object.hasOwn(this, 'token')) {
      const { token } = this as { token?: string }
      delete (this as { token?: string }).token
      if (token !== undefined) this.token = token
    }
    window.addEventListener('message', this.#hear)
    this.#show()
  }

  disconnectedCallback(): void {
    window.removeEventListener('message', this.#hear)
    this.#frame?.remove()
    this.#frame = undefined
  }

  attributeChangedCallback(): void {
    if (this.isConnected && this.#frame) this.#show()
  }

  leave(): void {
    this.#command({ command: 'leave' })
  }

  setMic(on: boolean): void {
    this.#command({ command: 'mic', on })
  }

  setCamera(on: boolean): void {
    this.#command({ command: 'camera', on })
  }

  setShare(on: boolean): void {
    this.#command({ command: 'share', on })
  }

  #show(): void {
    const meeting = this.getAttribute('meeting')
    const address = new URL(meeting === null ? '.' : `m/${encodeURIComponent(meeting)}`, server)
    const language = this.getAttribute('lang')
    if (language !== null) address.searchParams.set('lang', language)
    this.#frame?.remove()
    this.#isReady = false
    this.#frame = document.createElement('iframe')
    this.#frame.allow = ALLOW
    this.#frame.title = this.getAttribute('title') ?? 'Meeting'
    this.#frame.style.cssText = 'border: 0; display: block; width: 100%; height: 100%'
    this.#frame.src = address.href
    this.append(this.#frame)
  }

  /** By message, so that the token is in no address. */
  #handOver(): void {
    const meetingId = this.getAttribute('meeting')
    if (!this.#isReady || this.#token === undefined || meetingId === null) return
    this.#post({ type: 'anteroom:token', token: this.#token, meetingId })
  }

  #command(command: object): void {
    this.#post({ type: 'anteroom:command', version: VERSION, ...command })
  }

  #post(message: object): void {
    this.#frame?.contentWindow?.postMessage(message, server.origin)
  }
}

if (!customElements.get('anteroom-meeting')) customElements.define('anteroom-meeting', AnteroomMeeting)
