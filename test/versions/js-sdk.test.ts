/** Every published version of js-sdk that can be pointed at a server, unmodified. */
import { traits, type Version } from '../support/published.ts'
import { journeys } from './journeys.ts'

journeys(...(Object.keys(traits) as Version[]))
