import { Component, type ReactNode } from 'react'
import { Problem } from './states.tsx'

/** Keeps what a screen cannot show from taking the rest of the page with it. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <Problem
        text="This screen cannot be shown. Reload the page; if it stays so, the server may be of another version."
        retry={() => this.setState({ failed: false })}
      />
    )
  }
}
