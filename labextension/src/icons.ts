import { LabIcon } from '@jupyterlab/ui-components';

/**
 * A hexagon with a filled core: an environment around a kernel.
 */
export const imageIcon = new LabIcon({
  name: 'jupyter-image-manager:image',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<g class="jp-icon3 jp-icon-selectable" fill="#616161">' +
    '<path d="M12 2 3.3 7v10L12 22l8.7-5V7L12 2zm0 2.3L18.7 8.2v7.6L12 19.7l-6.7-3.9V8.2L12 4.3z"/>' +
    '<path d="m12 8-3.5 2v4l3.5 2 3.5-2v-4L12 8z"/></g></svg>'
});
