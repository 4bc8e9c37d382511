/** The operator's brand, which the server writes into the page (BRAND_NAME, BRAND_LOGO and BRAND_LINKS). */
export interface Brand {
  name: string
  /** Undefined for our own mark. Width and height are those of the file. */
  logo: { src: string; width: number; height: number } | undefined
  links: readonly { label: string; url: string }[]
  /** Whether it has a name or a logo of its own, to be shown where ours is not. */
  isOwn: boolean
}

type Written = Partial<Pick<Brand, 'name' | 'logo' | 'links'>>

/** @param written the content of the page's `<meta name="anteroom-brand">` */
export function brandOf(written: string | undefined): Brand {
  const { name, logo, links = [] } = JSON.parse(written ?? '{}') as Written
  return { name: name ?? 'Anteroom', logo, links, isOwn: name !== undefined || logo !== undefined }
}

export const brand = brandOf(
  'document' in globalThis
    ? document.querySelector<HTMLMetaElement>('meta[name=anteroom-brand]')?.content
    : undefined,
)
