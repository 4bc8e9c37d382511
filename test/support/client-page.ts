/** What a page of our own client is made of in tests: the SDK alone, and the bare engine under it. */
import { Device } from 'mediasoup-client'
import { connect } from '../../src/client/client.ts'

Object.assign(globalThis, { connect, Device })
