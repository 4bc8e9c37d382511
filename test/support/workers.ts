/**
 * The number of media workers of test servers. `npm run test:spread` runs some files a second time with each meeting
 * spread over three.
 */
export const spreads = process.env.TEST_SPREAD === 'true'

export const spreadWorkers = 3
