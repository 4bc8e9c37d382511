/** The globals of test pages with our own client: the SDK alone, and mediasoup-client under it. */
import { Device } from 'mediasoup-client'
import { connect } from '../../src/client/client.ts'

Object.assign(globalThis, { connect, Device })
