// Starts the console in the page.

import './zod-config.js';
import '@mantine/core/styles.layer.css';
import '@mantine/notifications/styles.layer.css';
import './styles.css';
import { createRoot } from 'react-dom/client';
import { App } from './App.js';

const root = document.querySelector('#root');
if (root !== null) createRoot(root).render(<App />);
