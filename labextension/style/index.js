import './shared.css';
import './panel.css';
import './log.css';
import './newimage.css';
import './notebook.css';
import './image.css';
import './missing.css';
