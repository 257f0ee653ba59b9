/**
 * Ids of the commands.
 */
export namespace CommandIDs {
  export const openPanel = 'image-manager:open-panel';
  export const createProject = 'image-manager:create-project';
  export const createSelected = 'image-manager:make-selected-project';
  export const newImage = 'image-manager:new-image';
  export const newImageFrom = 'image-manager:new-image-from';
  export const newImageFromSelected = 'image-manager:new-image-from-selected';
  export const activate = 'image-manager:activate';
  export const deactivate = 'image-manager:deactivate';
  export const restartKernels = 'image-manager:restart-kernels';
  export const runSettings = 'image-manager:run-settings';
  export const openImage = 'image-manager:open-image';
  export const openLog = 'image-manager:open-log';
  export const cancelBuild = 'image-manager:cancel-build';
  export const retryBuild = 'image-manager:retry-build';
  export const fixImage = 'image-manager:fix-image';
  export const checkImage = 'image-manager:check-image';
  export const compareImage = 'image-manager:compare-image';
  export const addPackages = 'image-manager:add-packages';
  export const exportDockerfile = 'image-manager:export-dockerfile';
  export const deleteImage = 'image-manager:delete-image';
  export const optimizeImage = 'image-manager:optimize-image';
  export const unoptimizeImage = 'image-manager:give-up-copy';
  export const deleteOriginal = 'image-manager:delete-original';
  export const pushImage = 'image-manager:push-image';
  export const migrateImage = 'image-manager:migrate-image';
  export const openCommunities = 'image-manager:open-communities';
  export const openUsage = 'image-manager:open-usage';
  export const refresh = 'image-manager:refresh';
}
