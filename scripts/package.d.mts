export function complaintsAbout(tarball: string): Promise<string[]>
export function pack(folder: string, destination: string): string
