import { mount } from 'svelte';
import App from './App.svelte';
import { choosePlatform } from '$lib/platform';
import { startTheme } from '$lib/theme.svelte';

await choosePlatform();
startTheme();
const target = document.getElementById('app');
if (target) mount(App, { target });
