/**
 * Every published version of js-sdk that can be pointed at a server, unmodified. 0.0.71 is left out: it opens the camera
 * before the microphone always, and sends nothing new after the camera was switched off.
 */
import { traits, type Version } from '../support/published.ts'
import { journeys } from './journeys.ts'

journeys(...(Object.keys(traits) as Version[]).filter((version) => version !== '0.0.71'))
