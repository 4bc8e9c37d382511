/** How many media workers a test's server has. A second run of some files spreads each meeting over three: `npm run test:spread`. */
export const spreads = process.env.TEST_SPREAD === 'true'

export const spreadWorkers = 3
