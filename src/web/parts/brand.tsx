import { brand } from '../brand.ts'
import { Foreign } from './foreign.tsx'

/** The logo: the operator's, else ours. It has its place before it has arrived. */
export function Mark({ large = false }: { large?: boolean }) {
  const size = large ? 'large' : ''
  const { logo } = brand
  return logo ? (
    <img className={`logo ${size}`} src={logo.src} width={logo.width} height={logo.height} alt="" />
  ) : (
    <img className={`mark ${size}`} src={new URL('../mark.svg', import.meta.url).href} alt="" />
  )
}

/** Logo and name at the top of a screen that shows none otherwise. */
export function BrandLine() {
  return brand.isOwn ? (
    <p className="brand" data-testid="brand">
      <Mark />
      <strong>
        <Foreign text={brand.name} />
      </strong>
    </p>
  ) : null
}

/** The operator's links. */
export function BrandLinks() {
  return brand.links.length > 0 ? (
    <ul className="brand-links">
      {brand.links.map(({ label, url }) => (
        <li key={label}>
          <a href={url} target="_blank" rel="noreferrer">
            <Foreign text={label} />
          </a>
        </li>
      ))}
    </ul>
  ) : null
}
