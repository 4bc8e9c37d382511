/** A STUN binding request with short-term credentials that nominates the pair it is sent on. */
export function stunBinding(iceParameters: { usernameFragment: string; password: string }): Buffer
