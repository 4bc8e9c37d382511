/** Texts about signing in with a provider. */

export const START_AT_PROVIDER = '/v2/admin/oidc/start'

const SENTENCES: Record<string, string> = {
  away: 'The provider does not answer as it should; try again later, or sign in with a password.',
  refused: 'The provider did not let you in.',
  redirect:
    'The provider does not know the address of this server; whoever runs it must register the address that ends in /v2/admin/oidc/callback.',
  clock: 'The clocks of this server and of the provider are too far apart; whoever runs them must set them.',
  state: 'This sign-in took too long, or began in another browser; try again.',
  role: 'The provider gives you no role on this server; ask whoever runs it.',
  invalid: 'The provider’s answer is not valid; whoever runs this server finds the reason in its log.',
}

/** Why the provider's answer signed nobody in; empty if there is nothing to say. */
export const sentenceFor = (problem: string | undefined): string =>
  problem === undefined ? '' : (SENTENCES[problem] ?? SENTENCES.invalid!)
