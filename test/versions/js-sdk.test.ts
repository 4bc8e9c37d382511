/** The published versions of js-sdk that can connect to another server, unmodified. */
import { traits, type Version } from '../support/published.ts'
import { journeys } from './journeys.ts'
import { sampleOf } from './sample.ts'

// The middle version is the last one that does not understand batches of notifications.
journeys(...sampleOf(Object.keys(traits) as Version[], '0.7.1'))
