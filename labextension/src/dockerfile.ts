/**
 * Whether a file's name is that of a Dockerfile.
 */
export function isDockerfile(name: string): boolean {
  return /^(Dockerfile|Containerfile)(\..+)?$|\.[Dd]ockerfile$/.test(name);
}
