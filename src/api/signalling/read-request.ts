/** Reads a message of a client as a request that its connection may send in its state, or refuses it. */
import { Compile } from 'typebox/compile'
import { Refusal } from '../../protocol/errors.ts'
import {
  absentServices,
  requests,
  type ConnectionState,
  type RequestMethod,
} from '../../protocol/requests.ts'
import { problemOfData } from '../http/body.ts'

/** One compiled validator per method. */
const validators = Object.fromEntries(
  Object.entries(requests).map(([method, { data }]) => [method, Compile(data)]),
) as Record<RequestMethod, ReturnType<typeof Compile>>

/** @throws {Refusal} INVALID_REQUEST, INVALID_STATE, ADD_ON_SERVICES_DISABLED */
export function readRequest(
  message: unknown,
  state: ConnectionState,
): { method: RequestMethod; data: unknown } {
  if (typeof message !== 'object' || message === null) {
    throw new Refusal('INVALID_REQUEST', { message: 'A request is an object with a method and data.' })
  }
  // Parts of it may be stored, or passed to recursive functions.
  const problem = problemOfData(message)
  if (problem !== undefined) throw new Refusal('INVALID_REQUEST', { message: `The request is ${problem}.` })
  const { method, data = {} } = message as { method?: unknown; data?: unknown }
  if (typeof method !== 'string' || !Object.hasOwn(requests, method)) {
    if (typeof method === 'string' && absentServices.has(method) && state === 'inside') {
      throw new Refusal('ADD_ON_SERVICES_DISABLED')
    }
    throw new Refusal('INVALID_REQUEST', { message: 'The method is unknown.' })
  }
  const known = method as RequestMethod
  if (!(requests[known].states as readonly ConnectionState[]).includes(state)) {
    throw new Refusal('INVALID_STATE', { message: `${known} cannot be sent now.` })
  }
  const validator = validators[known]
  if (!validator.Check(data)) {
    const [first] = validator.Errors(data)
    const where = first?.instancePath ? `data${first.instancePath.replaceAll('/', '.')}` : 'data'
    throw new Refusal('INVALID_REQUEST', {
      message: `${known}: ${where} ${first?.message ?? 'is not valid'}.`,
    })
  }
  return { method: known, data }
}
