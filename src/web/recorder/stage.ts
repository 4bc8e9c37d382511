/** Draws the scene: a tile for each place, kept while its owner is shown, so that no picture flickers when others move. */
import type { Meeting, Participant, Stream } from '../../client/client.ts'
import type { Layout } from '../../protocol/outputs.ts'
import { hueOf, initials } from '../meeting/tile-model.ts'
import { placesOf, sceneOf, type Place } from './scene.ts'

/** Below this width a tile has smaller letters. */
const SMALL_PX = 320

interface Tile {
  box: HTMLElement
  video: HTMLVideoElement
  initials: HTMLElement
  name: HTMLElement
  track: MediaStreamTrack | undefined
}

export class Stage {
  readonly #root: HTMLElement
  readonly #meeting: Meeting
  readonly #tiles = new Map<string, Tile>()
  readonly #sounds = new Map<string, HTMLAudioElement>()
  readonly #hasPicture: boolean
  #layout: Layout
  #isPlanned = false

  constructor(root: HTMLElement, meeting: Meeting, layout: Layout, hasPicture: boolean) {
    this.#root = root
    this.#meeting = meeting
    this.#layout = layout
    this.#hasPicture = hasPicture
    const plan = (): void => this.#plan()
    for (const event of [
      'participantJoined',
      'participantLeft',
      'participantChanged',
      'streamAdded',
      'streamRemoved',
      'streamChanged',
      'activeSpeakerChanged',
      'pinChanged',
    ] as const)
      meeting.on(event, plan)
    plan()
  }

  set layout(layout: Layout) {
    this.#layout = layout
    this.#plan()
  }

  /** Several events of one moment are one drawing. */
  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    setTimeout(() => {
      this.#isPlanned = false
      this.#draw()
    }, 20)
  }

  #draw(): void {
    const { participants, pinnedIds, activeSpeakerId } = this.#meeting
    this.#hear([...participants.values()])
    const people = [...participants.values()].map(({ id, mode, shareOn }) => ({
      id,
      isViewer: mode !== 'SEND_AND_RECV',
      isSharing: shareOn,
      isPinned: pinnedIds.has(id),
    }))
    const scene = this.#hasPicture ? sceneOf(people, activeSpeakerId, this.#layout) : { main: [], side: [] }
    const places = placesOf(scene, innerWidth, innerHeight)
    const shown = new Set<Stream>()
    const keys = new Set<string>()
    for (const place of places) {
      const key = `${place.kind} ${place.id}`
      keys.add(key)
      const stream = this.#place(key, place, participants.get(place.id)!)
      if (stream) shown.add(stream)
    }
    for (const [key, { box, video }] of this.#tiles) {
      if (keys.has(key)) continue
      video.srcObject = null
      box.remove()
      this.#tiles.delete(key)
    }
    // What is not shown is not sent.
    for (const { streams } of participants.values())
      for (const stream of streams.values())
        if ((stream.kind === 'video' || stream.kind === 'share') && !shown.has(stream)) stream.show(0)
  }

  /** Answers the stream that it shows. */
  #place(key: string, place: Place, participant: Participant): Stream | undefined {
    const tile = this.#tiles.get(key) ?? this.#newTile(key)
    const kind = place.kind === 'share' ? 'share' : 'video'
    const stream = [...participant.streams.values()].find((one) => one.kind === kind)
    const isOn = kind === 'share' || participant.cameraOn
    const { box, video } = tile
    box.className = `tile ${place.kind}`
    box.classList.toggle('small', place.width < SMALL_PX)
    box.classList.toggle(
      'speaking',
      place.kind === 'camera' && this.#meeting.activeSpeakerId === participant.id,
    )
    Object.assign(box.style, {
      left: `${place.x}px`,
      top: `${place.y}px`,
      width: `${place.width}px`,
      height: `${place.height}px`,
    })
    tile.name.textContent =
      place.kind === 'share' ? `${participant.name} shares the screen` : participant.name
    tile.initials.textContent = initials(participant.name)
    tile.initials.style.background = `hsl(${hueOf(participant.id)} 45% 38%)`
    const track = isOn ? stream?.track : undefined
    if (track !== tile.track) {
      tile.track = track
      video.srcObject = track ? new MediaStream([track]) : null
      if (track) void video.play().catch(() => undefined)
    }
    video.hidden = track === undefined
    tile.initials.hidden = track !== undefined
    if (!track) return undefined
    stream!.show(Math.round(place.width))
    return stream
  }

  #newTile(key: string): Tile {
    const make = <Name extends keyof HTMLElementTagNameMap>(
      name: Name,
      className: string,
    ): HTMLElementTagNameMap[Name] => {
      const element = document.createElement(name)
      element.className = className
      return element
    }
    const tile = {
      box: make('div', 'tile'),
      video: make('video', ''),
      initials: make('div', 'initials'),
      name: make('div', 'name'),
      track: undefined,
    }
    tile.video.muted = true
    tile.name.dir = 'auto'
    tile.box.append(tile.initials, tile.video, tile.name)
    this.#root.append(tile.box)
    this.#tiles.set(key, tile)
    return tile
  }

  /** Everybody is heard, shown or not. */
  #hear(people: readonly Participant[]): void {
    const heard = new Map(
      people.flatMap(({ streams }) =>
        [...streams.values()]
          .filter(({ kind }) => kind === 'audio' || kind === 'shareAudio')
          .map((stream) => [stream.id, stream] as const),
      ),
    )
    for (const [id, audio] of this.#sounds) {
      if (heard.has(id)) continue
      audio.srcObject = null
      this.#sounds.delete(id)
    }
    for (const [id, { track }] of heard) {
      if (this.#sounds.has(id)) continue
      const audio = new Audio()
      audio.srcObject = new MediaStream([track])
      void audio.play().catch(() => undefined)
      this.#sounds.set(id, audio)
    }
  }
}
