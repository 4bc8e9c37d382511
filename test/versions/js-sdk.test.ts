/** The published versions of js-sdk that can be pointed at a server, unmodified. */
import { traits, type Version } from '../support/published.ts'
import { journeys } from './journeys.ts'
import { sampleOf } from './sample.ts'

// The one of the middle is the last that understands no batches of notifications.
journeys(...sampleOf(Object.keys(traits) as Version[], '0.7.1'))
